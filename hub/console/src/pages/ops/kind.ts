/** What kind of trouble an item is, in the reader's language. */
import { useNamed } from "../../words";

/** Return a function that names a kind; one that is a rule's (`breach-record.undecided`) by the rule and what is wrong. */
export function useKindName(): (kind: string) => string {
  const named = useNamed();
  return (kind) => {
    const [rule = "", what] = kind.split(".");
    return what === undefined ? named("opsKind", kind) : `${named("rule", rule)}: ${named("opsWhat", what)}`;
  };
}
