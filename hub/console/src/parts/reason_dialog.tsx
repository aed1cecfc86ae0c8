/** Asks for a reason before something is done that stands in the audit. Without one nothing is done. */
import { Form, Input, Modal } from "antd";
import { useState } from "react";
import { useWords } from "../words";

interface Props {
  title: string;
  help: string;
  confirm: string;
  danger?: boolean;
  optional?: boolean;
  act: (reason: string) => Promise<void>;
  close: () => void;
}

export function ReasonDialog({ title, help, confirm, danger = false, optional = false, act, close }: Props) {
  const words = useWords();
  const [form] = Form.useForm<{ reason: string }>();
  const [busy, setBusy] = useState(false);
  const finish = async ({ reason }: { reason?: string }): Promise<void> => {
    setBusy(true);
    await act((reason ?? "").trim()).finally(() => setBusy(false));
    close();
  };
  return (
    <Modal
      open
      title={title}
      okText={confirm}
      okButtonProps={{ danger, loading: busy }}
      cancelText={words["common.cancel"]}
      onOk={() => form.submit()}
      onCancel={close}
    >
      <p>{help}</p>
      <Form form={form} layout="vertical" requiredMark={false} onFinish={(told) => void finish(told)}>
        <Form.Item
          name="reason"
          label={words["common.reason"]}
          extra={words["common.reasonHelp"]}
          rules={optional ? [] : [{ required: true, whitespace: true, message: words["common.reasonMissing"] }]}
        >
          <Input.TextArea autoFocus autoSize={{ minRows: 2 }} maxLength={500} />
        </Form.Item>
      </Form>
    </Modal>
  );
}
