/** What operators do to a platform as a whole: pause, resume, enter a maintenance window. Nothing for who may not act. */
import { EllipsisOutlined } from "@ant-design/icons";
import { App, Button, Dropdown, Form, Input } from "antd";
import { useState } from "react";
import type { AnyVariables, TypedDocumentNode } from "urql";
import { useActing } from "../../graph/act";
import { hubNow } from "../../graph/hub_time";
import { inBeijing } from "../../parts/moment";
import { type Entered, ReasonDialog } from "../../parts/reason_dialog";
import { useRights } from "../../shell/me";
import { filled, useNamed, useWords } from "../../words";
import { CANCEL_MAINTENANCE, PAUSE, PLAN_MAINTENANCE, RESUME } from "./asked";
import type { Platform } from "./platforms";

const USUAL_HOURS = 2;

interface Props {
  of: Platform;
  done: () => void;
}

export function Levers({ of, done }: Props) {
  const words = useWords();
  const named = useNamed();
  const rights = useRights();
  const [asking, setAsking] = useState<"pause" | "resume" | "maintain" | null>(null);
  if (!rights.acts || !of.bridged) return null;
  const offered = [of.paused ? ("resume" as const) : ("pause" as const), "maintain" as const];
  const dialog = { of, done, close: () => setAsking(null) };
  return (
    <>
      <Dropdown
        trigger={["click"]}
        menu={{
          items: offered.map((key) => ({ key, label: words[`levers.${key}`], danger: key === "pause" })),
          onClick: ({ key }) => setAsking(offered.find((each) => each === key) ?? null),
        }}
      >
        <Button type="text" size="small" icon={<EllipsisOutlined />} aria-label={filled(words["levers.of"], { platform: named("platform", of.name) })} />
      </Dropdown>
      {asking === "pause" && <Pause {...dialog} />}
      {asking === "resume" && <Resume {...dialog} />}
      {asking === "maintain" && <Maintain {...dialog} />}
    </>
  );
}

interface Open extends Props {
  close: () => void;
}

function Pause({ of, done, close }: Open) {
  const words = useWords();
  const named = useNamed();
  const act = useTold(done);
  return (
    <ReasonDialog
      danger
      title={filled(words["levers.pauseTitle"], { platform: named("platform", of.name) })}
      help={filled(words["levers.pauseHelp"], { n: of.backlog })}
      confirm={words["levers.pause"]}
      act={(reason) => act(words["levers.paused"], PAUSE, { platform: of.name, reason })}
      close={close}
    />
  );
}

export function Resume({ of, done, close }: Open) {
  const words = useWords();
  const named = useNamed();
  const act = useTold(done);
  return (
    <ReasonDialog
      title={filled(words["levers.resumeTitle"], { platform: named("platform", of.name) })}
      help={filled(words["levers.resumeHelp"], { n: of.backlog })}
      confirm={words["levers.resume"]}
      act={(reason) => act(words["levers.resumed"], RESUME, { platform: of.name, reason })}
      close={close}
    />
  );
}

function Maintain({ of, done, close }: Open) {
  const words = useWords();
  const named = useNamed();
  const act = useTold(done);
  const [initial] = useState<Entered>(() => ({ until: written(hubNow() + USUAL_HOURS * 3_600_000) }));
  return (
    <ReasonDialog
      title={filled(words["levers.maintainTitle"], { platform: named("platform", of.name) })}
      help={words["levers.maintainHelp"]}
      confirm={words["levers.enter"]}
      initial={initial}
      act={(reason, { from, until }) =>
        act(words["levers.planned"], PLAN_MAINTENANCE, { platform: of.name, from: from ? read(from) : null, until: read(until ?? ""), reason })
      }
      close={close}
    >
      <Form.Item name="from" label={words["levers.from"]} extra={words["levers.fromHelp"]}>
        <Input type="datetime-local" />
      </Form.Item>
      <Form.Item name="until" label={words["levers.until"]} rules={[{ required: true, message: words["levers.untilMissing"] }]}>
        <Input type="datetime-local" />
      </Form.Item>
    </ReasonDialog>
  );
}

export function CallOff({ windowId, platform, done, close }: { windowId: string; platform: string; done: () => void; close: () => void }) {
  const words = useWords();
  const named = useNamed();
  const act = useTold(done);
  return (
    <ReasonDialog
      title={filled(words["levers.callOffTitle"], { platform: named("platform", platform) })}
      help={words["levers.callOffHelp"]}
      confirm={words["levers.callOff"]}
      act={(reason) => act(words["levers.calledOff"], CANCEL_MAINTENANCE, { windowId, reason })}
      close={close}
    />
  );
}

/** Return a function that does it, says so, and looks again; it returns why it was refused. */
function useTold(done: () => void) {
  const act = useActing();
  const { message } = App.useApp();
  return async <Data, Variables extends AnyVariables>(said: string, mutation: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<string | undefined> => {
    const refused = await act(mutation, variables);
    if (!refused) void message.success(said);
    done();
    return refused;
  };
}

/** As a field of date and time has it, in Beijing. */
function written(at: number): string {
  return inBeijing(at).slice(0, 16).replace(" ", "T");
}

function read(entered: string): string {
  return `${entered.slice(0, 16)}:00+08:00`;
}
