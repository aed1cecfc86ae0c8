/** What has just happened to obligations, as the hub tells it. */
import { Link } from "react-router";
import { PlatformName, StateMark } from "../../parts/mark";
import { inBeijing } from "../../parts/moment";
import { useNamed, useWords } from "../../words";
import type { ChangesSubscription } from "../../../generated/graphql";

export type Change = ChangesSubscription["obligationChanges"];

export function Changes({ changes }: { changes: readonly Change[] }) {
  const words = useWords();
  const named = useNamed();
  return (
    <section className="pane" aria-labelledby="changes">
      <h2 id="changes">{words["overview.changes"]}</h2>
      {changes.length === 0 && <p className="quiet">{words["overview.changesNone"]}</p>}
      <ul className="changes">
        {changes.map((each) => (
          <li key={each.cursor}>
            <span className="quiet number">{inBeijing(each.at).slice(11)}</span>
            <StateMark state={each.state} />
            <Link to={`/obligations/${encodeURIComponent(each.key)}`} title={each.key}>
              {each.obligation ? named("rule", each.obligation.rule) : each.key}
            </Link>
            {each.obligation && (
              <span className="quiet">
                <PlatformName name={each.obligation.platform} />
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
