/** The line of filters over the ops list. */
import { Input, Segmented, Select } from "antd";
import type { OpsItemOrder } from "../../../generated/graphql";
import { useWords } from "../../words";
import { useKindName } from "./kind";
import { KINDS, ORDERS, type Wanted } from "./wanted";

interface Props {
  wanted: Wanted;
  want: (change: Partial<Wanted>) => void;
  /** What kinds are on the list now. */
  here: readonly string[];
}

export function Filters({ wanted, want, here }: Props) {
  const words = useWords();
  const kindName = useKindName();
  return (
    <search className="row" aria-label={words["nav.ops"]}>
      <Input.Search
        key={wanted.text}
        allowClear
        defaultValue={wanted.text}
        placeholder={words["ops.search"]}
        aria-label={words["ops.search"]}
        style={{ width: 320 }}
        onSearch={(text) => want({ text: text.trim() })}
      />
      <Segmented<boolean>
        value={wanted.settled}
        onChange={(settled) => want({ settled })}
        aria-label={words["obligations.state"]}
        options={[{ value: false, label: words["ops.open"] }, { value: true, label: words["ops.settled"] }]}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        style={{ width: 260 }}
        aria-label={words["ops.kind"]}
        placeholder={words["ops.kind"]}
        value={wanted.kind}
        onChange={(kind: string | undefined) => want({ kind: kind ?? null })}
        options={[...new Set([...here, ...(wanted.kind ? [wanted.kind] : []), ...KINDS])].map((value) => ({ value, label: kindName(value) }))}
      />
      <Select<OpsItemOrder>
        style={{ width: 150 }}
        aria-label={words["obligations.sort"]}
        value={wanted.order}
        onChange={(order) => want({ order })}
        options={ORDERS.map((value) => ({ value, label: words[`ops.sort.${value}`] }))}
      />
    </search>
  );
}
