import { GraphiQL } from "graphiql";
import { useMemo, useState, type FormEvent } from "react";
import examples from "virtual:examples";
import { asking } from "./asking";

const KEY = "bihuan.explorer.key";
const WELCOME = `# Ten queries to begin with stand in the tabs; the book on the left has the schema's documentation.
# Type ahead with Ctrl-Space, run with Ctrl-Enter.
{
  approvals(first: 3, orderBy: DECIDED_AT_DESC) {
    edges { node { approvalNo matterName state subject { name } } }
  }
}
`;
const TABS = [{ query: WELCOME }, ...examples.map(({ title, query, variables }) => ({ query: `# ${title}\n${query}`, variables }))];

/** GraphiQL over the graph of the hub that serves this page. A key that is entered stays in this tab of the browser only. */
export function Explorer() {
  const [key, setKey] = useState(() => sessionStorage.getItem(KEY) ?? "");
  const fetcher = useMemo(() => asking(key), [key]);

  function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const entered = String(new FormData(event.currentTarget).get("key") ?? "").trim();
    sessionStorage.setItem(KEY, entered);
    setKey(entered);
  }

  return (
    <>
      <header className="entrance">
        <strong>Bihuan 闭环</strong>
        <form onSubmit={enter}>
          <label htmlFor="key">Application key 应用密钥</label>
          <input id="key" name="key" type="password" autoComplete="off" defaultValue={key} />
          <button type="submit">Use 使用</button>
        </form>
      </header>
      {/* Anew for each key, so that the schema is read with it. */}
      <GraphiQL key={key} fetcher={fetcher} defaultTabs={TABS} shouldPersistHeaders={false} />
    </>
  );
}
