/** The line of filters over the list. */
import { Checkbox, Input, Select } from "antd";
import type { ObligationState } from "../../../generated/graphql";
import { useNamed, useWords } from "../../words";
import { en } from "../../words/en";
import { ORDERS, type Wanted } from "./filter";
import { ALL_STATES } from "./states";

const PLATFORMS = ["approval", "credit", "grid", "enforcement", "selfgov", "sms"];
const RULES = Object.keys(en)
  .filter((name) => name.startsWith("rule."))
  .map((name) => name.slice("rule.".length));

export function Filters({ wanted, want }: { wanted: Wanted; want: (change: Partial<Wanted>) => void }) {
  const words = useWords();
  const named = useNamed();
  const whole = Boolean(wanted.text);
  return (
    <search className="row" aria-label={words["obligations.title"]}>
      <Input.Search
        key={wanted.text}
        allowClear
        defaultValue={wanted.text}
        placeholder={words["obligations.search"]}
        aria-label={words["obligations.search"]}
        title={words["obligations.searchHelp"]}
        style={{ width: 320 }}
        onSearch={(text) => want({ text: text.trim() })}
      />
      <Select<ObligationState[]>
        mode="multiple"
        allowClear
        disabled={whole}
        maxTagCount={1}
        style={{ minWidth: 150 }}
        aria-label={words["obligations.state"]}
        placeholder={`${words["obligations.state"]}: ${words["obligations.open"]}`}
        value={wanted.states}
        onChange={(states) => want({ states })}
        options={ALL_STATES.map((value) => ({ value, label: words[`state.${value}`] }))}
      />
      <Select
        allowClear
        disabled={whole}
        style={{ width: 130 }}
        aria-label={words["obligations.platform"]}
        placeholder={words["obligations.platform"]}
        value={wanted.platform}
        onChange={(platform: string | undefined) => want({ platform: platform ?? null })}
        options={PLATFORMS.map((value) => ({ value, label: named("platform", value) }))}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: "label" }}
        disabled={whole}
        style={{ width: 190 }}
        aria-label={words["obligations.rule"]}
        placeholder={words["obligations.rule"]}
        value={wanted.rule}
        onChange={(rule: string | undefined) => want({ rule: rule ?? null })}
        options={RULES.map((value) => ({ value, label: named("rule", value) }))}
      />
      <Select
        disabled={whole}
        style={{ width: 150 }}
        aria-label={words["obligations.sort"]}
        value={wanted.order}
        onChange={(order) => want({ order })}
        options={ORDERS.map((value) => ({ value, label: words[`obligations.sort.${value}`] }))}
      />
      <Checkbox checked={wanted.overdue} disabled={whole} onChange={(event) => want({ overdue: event.target.checked, soon: false })}>
        {words["obligations.onlyOverdue"]}
      </Checkbox>
    </search>
  );
}
