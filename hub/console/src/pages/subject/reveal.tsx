/** A masked field, and its clear text for who may see it and says why. It is forgotten when the page is left. */
import { EyeOutlined } from "@ant-design/icons";
import { App, Button } from "antd";
import { useState } from "react";
import { useMutation } from "urql";
import { ReasonDialog } from "../../parts/reason_dialog";
import { useRights } from "../../shell/me";
import { useWords } from "../../words";
import { REVEAL } from "./asked";

export function Reveal({ id, field, label, masked }: { id: string; field: string; label: string; masked: string }) {
  const words = useWords();
  const rights = useRights();
  const { message } = App.useApp();
  const [asking, setAsking] = useState(false);
  const [clear, setClear] = useState<string | null>(null);
  const [, reveal] = useMutation(REVEAL);
  const act = async (reason: string): Promise<void> => {
    const { data, error } = await reveal({ id, field, reason });
    const refused = error?.message ?? data?.revealPersonalData?.userErrors[0]?.message;
    if (refused) void message.error(refused);
    else setClear(data?.revealPersonalData?.value ?? null);
  };
  return (
    <>
      <span className="number">{clear ?? masked}</span>
      {rights.reveals && clear === null && <Button type="text" size="small" icon={<EyeOutlined />} aria-label={`${words["subject.reveal"]}: ${label}`} onClick={() => setAsking(true)} />}
      {asking && (
        <ReasonDialog title={words["subject.revealTitle"]} help={words["subject.revealHelp"]} confirm={words["subject.reveal"]} act={act} close={() => setAsking(false)} />
      )}
    </>
  );
}
