/** The chain as a line of time: what happened, on which platform, what it followed from; then what is still to come. */
import { Fragment, useContext } from "react";
import { Link } from "react-router";
import type { CaseQuery } from "../../../generated/graphql";
import { Mark, PlatformName, StateMark } from "../../parts/mark";
import { inBeijing, lengthOf } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { filled, LanguageContext, useWords } from "../../words";

type Step = NonNullable<CaseQuery["loop"]>["steps"][number];

export function Steps({ steps }: { steps: readonly Step[] }) {
  const words = useWords();
  const number = new Map(steps.map((step, at) => [step.id, at + 1]));
  const firstToCome = steps.findIndex((step) => step.at == null);
  return (
    <ol className="steps">
      {steps.map((step, at) => (
        <Fragment key={step.id}>
          {at === firstToCome && (
            <li className="coming">
              <span />
              <strong className="quiet">{words["loop.still"]}</strong>
            </li>
          )}
          <OneStep step={step} number={number} />
        </Fragment>
      ))}
    </ol>
  );
}

function OneStep({ step, number }: { step: Step; number: ReadonlyMap<string, number> }) {
  const words = useWords();
  const rights = useRights();
  const language = useContext(LanguageContext);
  const late = (step.lateSeconds ?? 0) > 0;
  const causes = step.causes.map((each) => number.get(each)).filter((each) => each !== undefined);
  return (
    <li className={step.at == null ? `coming${late ? " late" : ""}` : ""} data-kind={step.kind}>
      <span className="when number">
        {step.at ? (
          <time dateTime={step.at}>
            {inBeijing(step.at).slice(0, 10)}
            <br />
            <span className="quiet">{inBeijing(step.at).slice(11)}</span>
          </time>
        ) : (
          step.dueAt && <span className="quiet">{filled(words["loop.by"], { time: inBeijing(step.dueAt).slice(0, 16) })}</span>
        )}
      </span>
      <div>
        <div className="row" style={{ gap: 8 }}>
          <span className="quiet number">{number.get(step.id)}</span>
          <strong>{step.title[language]}</strong>
          <Mark tone="calm"><PlatformName name={step.platform} /></Mark>
          {step.obligation && step.at == null && <StateMark state={step.obligation.state} />}
          {late && <Mark tone="bad">{filled(words["obligations.late"], { age: lengthOf(step.lateSeconds ?? 0, words) })}</Mark>}
          {step.dueAt && step.at && !late && <span className="quiet">{words["loop.onTime"]}</span>}
        </div>
        <div className="quiet">
          {step.key && <span className="mono">{step.key}</span>}
          {causes.length > 0 && <span> · {words["loop.after"]} {causes.join(", ")}</span>}
          {step.obligation?.needs && <span> · {step.obligation.needs}</span>}
          {step.obligation && rights.sees && (
            <>
              {" · "}
              <Link to={`/obligations/${encodeURIComponent(step.obligation.key)}`}>{words["obligation.title"]}</Link>
            </>
          )}
        </div>
      </div>
    </li>
  );
}
