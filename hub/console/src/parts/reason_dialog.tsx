/** Asks for a reason before something is done that stands in the audit. Without one nothing is done. */
import { Alert, Form, Input, Modal } from "antd";
import { useState } from "react";
import { useWords } from "../words";

/** What was entered in the fields besides the reason. */
export type Entered = Readonly<Record<string, string | undefined>>;

interface Props {
  title: string;
  help: string;
  confirm: string;
  danger?: boolean;
  optional?: boolean;
  /** Fields besides the reason, and what stands in them at first. */
  children?: React.ReactNode;
  initial?: Entered;
  /** What it returns is why it was refused: it is shown, and the dialog stays. */
  act: ((reason: string, entered: Entered) => Promise<string | undefined>) | ((reason: string, entered: Entered) => Promise<void>);
  close: () => void;
}

export function ReasonDialog({ title, help, confirm, danger = false, optional = false, children, initial = {}, act, close }: Props) {
  const words = useWords();
  const [form] = Form.useForm<Entered>();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();
  const finish = async ({ reason, ...entered }: Entered): Promise<void> => {
    setBusy(true);
    const why = await act((reason ?? "").trim(), entered).finally(() => setBusy(false));
    if (why) setRefused(why);
    else close();
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
      <Form form={form} layout="vertical" requiredMark={false} initialValues={initial} onFinish={(told) => void finish(told)}>
        {children}
        <Form.Item
          name="reason"
          label={words["common.reason"]}
          extra={words["common.reasonHelp"]}
          rules={optional ? [] : [{ required: true, whitespace: true, message: words["common.reasonMissing"] }]}
        >
          <Input.TextArea autoFocus={!children} autoSize={{ minRows: 2 }} maxLength={500} />
        </Form.Item>
      </Form>
      {refused && <Alert type="error" showIcon title={refused} />}
    </Modal>
  );
}
