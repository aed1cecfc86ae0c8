/** What went wrong with a question, in the hub's own words, and a way to ask again. */
import { Alert, Button } from "antd";
import type { CombinedError } from "urql";
import { useWords } from "../words";

export function Failure({ error, again }: { error: CombinedError | undefined; again?: () => void }) {
  const words = useWords();
  if (!error) return null;
  const told = error.networkError ? [words["error.network"]] : [...new Set(error.graphQLErrors.map((each) => each.message))];
  return (
    <Alert
      className="failure"
      type="warning"
      showIcon
      title={words["error.title"]}
      description={told.map((each) => <div key={each}>{each}</div>)}
      action={again && <Button onClick={again}>{words["error.again"]}</Button>}
    />
  );
}
