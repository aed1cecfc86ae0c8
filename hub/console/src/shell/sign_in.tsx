/** The first page: an application key, or the organisation's account where the hub knows a provider. */
import { Alert, Button, Divider, Form, Input, Spin } from "antd";
import { useEffect, useState } from "react";
import type { Choices } from "../console";
import mark from "../mark.svg";
import { signIn } from "../graph/session";
import { filled, useWords } from "../words";
import { whoIs } from "./asking";
import { beginAtProvider, finishAtProvider, type Provider, providerOf } from "./provider";
import { Switches } from "./switches";

export function SignIn({ choices }: { choices: Choices }) {
  const words = useWords();
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { provider, anonymous, returning } = useWaysIn(setWrong);

  const tried = async (key: string): Promise<void> => {
    setBusy(true);
    const found = await whoIs(key);
    setBusy(false);
    if (found === "UNREACHABLE") setWrong(words["sign.unreachable"]);
    else if (found === "UNKNOWN") setWrong(words["sign.wrong"]);
    else if (!found.scopes.length) setWrong(words["sign.nothing"]);
    else signIn(key);
  };

  if (returning) return <Spin size="large" fullscreen />;
  return (
    <main className="welcome pane">
      <div className="row" style={{ justifyContent: "space-between" }}>
        <img src={mark} alt="" width={36} height={36} />
        <span>
          <Switches choices={choices} />
        </span>
      </div>
      <h1>{words.title}</h1>
      <p className="quiet">{words["sign.lead"]}</p>
      {wrong && <Alert type="error" showIcon title={wrong} role="alert" style={{ marginBottom: 16 }} />}
      {provider && (
        <>
          <Button type="primary" block size="large" onClick={() => void beginAtProvider(provider)}>
            {words["sign.provider"]}
          </Button>
          <Divider />
        </>
      )}
      <Form layout="vertical" requiredMark={false} onFinish={({ key }: { key: string }) => void tried(key.trim())}>
        <Form.Item name="key" label={words["sign.key"]} extra={words["sign.keyHelp"]} rules={[{ required: true, message: "" }]}>
          <Input.Password autoFocus autoComplete="off" size="large" />
        </Form.Item>
        <Button type={provider ? "default" : "primary"} htmlType="submit" block size="large" loading={busy}>
          {words["sign.in"]}
        </Button>
        {anonymous && (
          <Button type="link" block style={{ marginTop: 8 }} onClick={() => signIn("")}>
            {words["sign.without"]}
          </Button>
        )}
      </Form>
    </main>
  );

  /** Find out which ways in there are, and finish one that comes back from the provider. */
  function useWaysIn(fail: (why: string) => void) {
    const [ways, setWays] = useState<{ provider: Provider | null; anonymous: boolean }>({ provider: null, anonymous: false });
    const [coming, setComing] = useState(() => new URLSearchParams(location.search).has("state"));
    useEffect(() => {
      void (async () => {
        const found = await providerOf();
        if (coming) {
          const answer = await finishAtProvider(found);
          if ("token" in answer) return signIn(answer.token);
          fail(filled(words["sign.failed"], { reason: answer.failed }));
          setComing(false);
        }
        const nobody = await whoIs("");
        setWays({ provider: found, anonymous: typeof nobody === "object" && nobody.scopes.length > 0 });
      })();
      // eslint-disable-next-line react-hooks/exhaustive-deps -- once: what comes back from the provider is used up
    }, []);
    return { ...ways, returning: coming };
  }
}
