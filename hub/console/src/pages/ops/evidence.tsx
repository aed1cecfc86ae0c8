/** What the hub knows of an item: what was said before and what is said now, and where the obligation stands that it is about. */
import { Link } from "react-router";
import { Facts } from "../../parts/facts";
import { PlatformName, StateMark } from "../../parts/mark";
import { inBeijing } from "../../parts/moment";
import { useNamed, useWords } from "../../words";
import type { Item } from "./items";

export function Evidence({ of }: { of: Item }) {
  const words = useWords();
  const named = useNamed();
  const one = of.obligation;
  return (
    <div data-evidence={of.itemId}>
      <Facts
        facts={[
          [words["ops.since"], inBeijing(of.openedAt)],
          [words["ops.number"], <span className="mono" key="number">{of.itemId}</span>],
          ...(one
            ? ([
                [words["obligations.key"], <Link key="key" to={`/obligations/${encodeURIComponent(one.key)}`}>{named("rule", one.rule)}</Link>],
                [words["obligations.platform"], <PlatformName key="platform" name={one.platform} />],
                [words["obligations.state"], <StateMark key="state" state={one.state} />],
              ] as const)
            : []),
        ]}
      />
      {(of.before ?? of.after) != null && (
        <div className="split" style={{ marginTop: 10 }}>
          <Said title={words["ops.before"]} text={of.before} />
          <Said title={words["ops.after"]} text={of.after} />
        </div>
      )}
    </div>
  );
}

function Said({ title, text }: { title: string; text: string | null | undefined }) {
  return (
    <div>
      <h3>{title}</h3>
      {text ? <pre className="raw mono" tabIndex={0} aria-label={title}>{lined(text)}</pre> : "—"}
    </div>
  );
}

/** JSON with its lines; anything else as it is. */
function lined(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
