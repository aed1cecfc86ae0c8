/** Whether what stands here is live, and of when it is. */
import { Alert } from "antd";
import { useLink } from "../graph/link";
import { inBeijing, useNow } from "../parts/moment";
import { filled, useWords } from "../words";

const GRACE = 1_500;

export function LinkSign() {
  const words = useWords();
  const { state, heardAt } = useLink();
  return (
    <span className={`link link-${state}`} role="status" data-link={state}>
      {words[`link.${state}`]}
      {heardAt !== null && <span className="quiet number">{filled(words["link.heard"], { time: inBeijing(heardAt).slice(11) })}</span>}
    </span>
  );
}

/** A line over the page once the connection has been gone for a moment. */
export function LinkWarning() {
  const words = useWords();
  const { heardAt, lostAt } = useLink();
  const now = useNow();
  if (lostAt === null || heardAt === null || now - lostAt < GRACE) return null;
  return <Alert banner type="error" title={filled(words["link.goneLong"], { time: inBeijing(heardAt).slice(11) })} />;
}
