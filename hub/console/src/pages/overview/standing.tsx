/** What people decided about platforms and is so now, or will be: pauses and maintenance, with who, why, and since when. */
import { Button } from "antd";
import { useState } from "react";
import type { MaintenanceWindowsQuery } from "../../../generated/graphql";
import { Mark, PlatformName } from "../../parts/mark";
import { inBeijing, Moment, useNow } from "../../parts/moment";
import { useRights } from "../../shell/me";
import { filled, useWords } from "../../words";
import { CallOff, Resume } from "./levers";
import type { Platform } from "./platforms";

type Window = NonNullable<MaintenanceWindowsQuery["maintenanceWindows"]>["edges"][number]["node"];

interface Props {
  platforms: readonly Platform[];
  windows: readonly Window[];
  done: () => void;
}

export function Standing({ platforms, windows, done }: Props) {
  const now = useNow();
  const paused = platforms.filter((each) => each.paused);
  const standing = windows.filter((each) => !each.cancelledAt && Date.parse(each.endsAt) > now).sort((a, b) => a.beginsAt.localeCompare(b.beginsAt));
  const unplanned = platforms.filter((each) => each.maintenance && each.maintenance.kind !== "PLANNED");
  if (!paused.length && !standing.length && !unplanned.length) return null;
  return (
    <ul className="standing">
      {paused.map((of) => <PausedLine key={of.name} of={of} done={done} />)}
      {standing.map((of) => <WindowLine key={of.windowId} of={of} open={Date.parse(of.beginsAt) <= now} done={done} />)}
      {unplanned.map((of) => <UnplannedLine key={of.name} of={of} />)}
    </ul>
  );
}

function PausedLine({ of, done }: { of: Platform; done: () => void }) {
  const words = useWords();
  const rights = useRights();
  const [asking, setAsking] = useState(false);
  return (
    <li data-standing="paused">
      <Mark tone="warn">{words["health.paused"]}</Mark>
      <strong><PlatformName name={of.name} /></strong>
      <span className="why">{of.paused?.reason}</span>
      <span className="quiet">{filled(words["levers.by"], { by: of.paused?.by ?? "" })}</span>
      <span className="quiet">{words["levers.since"]} <Moment at={of.paused?.since} /></span>
      {rights.acts && <Button size="small" onClick={() => setAsking(true)}>{words["levers.resume"]}</Button>}
      {asking && <Resume of={of} done={done} close={() => setAsking(false)} />}
    </li>
  );
}

function WindowLine({ of, open, done }: { of: Window; open: boolean; done: () => void }) {
  const words = useWords();
  const rights = useRights();
  const [asking, setAsking] = useState(false);
  return (
    <li data-standing={open ? "maintenance" : "planned"}>
      <Mark tone={open ? "warn" : "calm"} help={words["levers.maintainHelp"]}>{words[open ? "health.maintenance" : "levers.plannedMark"]}</Mark>
      <strong><PlatformName name={of.platform} /></strong>
      <span className="why">{of.reason}</span>
      <span className="quiet">{filled(words["levers.by"], { by: of.plannedBy })}</span>
      <span className="quiet number">{filled(words["levers.span"], { from: inBeijing(of.beginsAt).slice(5, 16), until: inBeijing(of.endsAt).slice(5, 16) })}</span>
      {rights.acts && <Button size="small" onClick={() => setAsking(true)}>{words["levers.callOff"]}</Button>}
      {asking && <CallOff windowId={of.windowId} platform={of.platform} done={done} close={() => setAsking(false)} />}
    </li>
  );
}

/** It recurs by settings, or the platform itself asked for it: nobody has to be asked, and nothing can be called off. */
function UnplannedLine({ of }: { of: Platform }) {
  const words = useWords();
  if (!of.maintenance) return null;
  return (
    <li data-standing="maintenance">
      <Mark tone="warn">{words["health.maintenance"]}</Mark>
      <strong><PlatformName name={of.name} /></strong>
      <span className="why">{words[of.maintenance.kind === "ASKED" ? "levers.asked" : "levers.recurring"]}</span>
      <span className="quiet">{words["levers.untilWord"]} <Moment at={of.maintenance.until} /></span>
    </li>
  );
}
