/** The whole case behind any number that a clerk has at hand. The address holds the record, so that it can be sent on. */
import { Alert, Empty, Input, Spin } from "antd";
import { useEffect, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { type CombinedError, useClient } from "urql";
import type { FindRecordQuery } from "../../../generated/graphql";
import { useAsked } from "../../graph/use";
import { Failure } from "../../parts/failure";
import { Mark } from "../../parts/mark";
import { beijingDay } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { filled, useNamed, useWords, type Words } from "../../words";
import { FIND, LOOP } from "./asked";
import { Steps } from "./steps";

const REFRESH = 30;

interface Found {
  kind: string;
  id: string;
}

export default function Loop() {
  const words = useWords();
  const [told, tell] = useSearchParams();
  const number = told.get("number") ?? "";
  const of = told.get("of") ?? "";
  return (
    <>
      <search className="row">
        <Input.Search
          key={number}
          autoFocus={!of}
          allowClear
          enterButton={words["loop.find"]}
          defaultValue={number}
          placeholder={words["loop.search"]}
          aria-label={words["loop.search"]}
          style={{ maxWidth: 640 }}
          onSearch={(text) => tell(text.trim() ? { number: text.trim() } : {})}
        />
      </search>
      {!of && !number && <Empty description={words["loop.lead"]} />}
      {!of && number && <Finding key={number} number={number} choose={(id) => tell({ number, of: id }, { replace: true })} />}
      {of && <Case key={of} of={of} />}
    </>
  );
}

/** Find the record, and go on to its case; of a subject all cases are listed, for all of them together would be no case. */
function Finding({ number, choose }: { number: string; choose: (id: string) => void }) {
  const words = useWords();
  const rights = useRights();
  const client = useClient();
  const [answer, setAnswer] = useState<FindRecordQuery | null>(null);
  const [error, setError] = useState<CombinedError>();
  useEffect(() => {
    let over = false;
    void client
      .query(FIND, { number, seesAll: rights.seesAll })
      .toPromise()
      .then(({ data, error: wrong }) => {
        if (over) return;
        if (!data) { setError(wrong); return; }
        const [first, ...others] = recordsIn(data);
        if (first && !others.length && !data.subject) choose(first.id);
        else setAnswer(data);
      });
    return () => {
      over = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `choose` is new at each drawing; the number decides
  }, [client, number, rights.seesAll]);
  const named = useNamed();
  if (error) return <Failure error={error} />;
  if (!answer) return <Spin />;
  const found = recordsIn(answer);
  if (answer.subject) return <Cases of={answer.subject} />;
  if (!found.length) return <Alert type="info" showIcon title={filled(words["loop.unknown"], { number })} />;
  return (
    <section className="pane">
      <h2>{words["loop.several"]}</h2>
      <ul className="sheet">
        {found.map((each) => (
          <li key={each.id}>
            <Link to={`/loop?number=${encodeURIComponent(number)}&of=${encodeURIComponent(each.id)}`}>{named("found", each.kind)}</Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function recordsIn(answer: FindRecordQuery): Found[] {
  const plain = ["approval", "gridEvent", "verificationTask", "creditRecord", "coordination", "repair", "selfReport", "campaign", "obligation"] as const;
  const found = plain.flatMap((kind) => (answer[kind] ? [{ kind: kind, id: answer[kind].id }] : []));
  const lists = [
    ["creditRecord", answer.byBizNo],
    ["verificationTask", answer.byExternalNo],
  ] as const;
  for (const [kind, list] of lists) for (const edge of list?.edges ?? []) if (!found.some((each) => each.id === edge.node.id)) found.push({ kind, id: edge.node.id });
  return found;
}

function Cases({ of }: { of: NonNullable<FindRecordQuery["subject"]> }) {
  const words = useWords();
  const lines = [
    ...of.approvals.edges.map(({ node }) => ({ id: node.id, kind: words["found.approval"], text: node.matterName, number: node.approvalNo, at: node.decidedAt })),
    ...of.creditRecords.edges.map(({ node }) => ({ id: node.id, kind: words["found.creditRecord"], text: node.itemName, number: node.recordId, at: node.occurredAt })),
  ];
  return (
    <section className="pane" aria-labelledby="cases">
      <h2 id="cases">
        {words["loop.cases"]}: <Link to={`/subject?code=${of.code}`}>{of.name}</Link>
      </h2>
      {!lines.length && <p className="quiet">{words["common.none"]}</p>}
      <ul className="changes">
        {lines.map((line) => (
          <li key={line.id}>
            <span className="quiet number">{line.at ? beijingDay(line.at) : "—"}</span>
            <Mark tone="calm">{line.kind}</Mark>
            <Link to={`/loop?of=${encodeURIComponent(line.id)}`}>{line.text}</Link>
            <span className="mono quiet">{line.number}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Case({ of }: { of: string }) {
  const words = useWords();
  const { data, error, waiting, again } = useAsked(LOOP, { of }, { everySeconds: REFRESH });
  if (waiting) return <Spin />;
  const loop = data?.loop;
  if (!loop) return error ? <Failure error={error} again={again} /> : <Alert type="info" showIcon title={filled(words["loop.unknown"], { number: of })} />;
  const counts = (["owed", "awaited", "overdue"] as const).filter((each) => loop[each] > 0);
  return (
    <section className="pane" aria-labelledby="case">
      <div className="row" style={{ marginBottom: 18 }}>
        <h2 id="case">
          {words["loop.title"]} <Mark tone={loop.complete ? "good" : loop.overdue ? "bad" : "busy"}>{words[loop.complete ? "loop.complete" : "loop.incomplete"]}</Mark>{" "}
          {counts.map((each) => (
            <Mark key={each} tone={each === "overdue" ? "bad" : "calm"}>
              {filled(words[`loop.${each}` as keyof Words], { n: loop[each] })}
            </Mark>
          ))}
        </h2>
      </div>
      <Failure error={error} again={again} />
      {loop.truncated && <Alert type="warning" title={words["loop.truncated"]} style={{ marginBottom: 14 }} />}
      <Steps steps={loop.steps} />
    </section>
  );
}
