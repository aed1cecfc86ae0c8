/** The first page: an application key, or the organisation's account where the hub knows a provider. */
import { Alert, Button, Divider, Form, Input, Spin } from "antd";
import { useEffect, useRef, useState } from "react";
import type { Choices } from "../console";
import mark from "../mark.svg";
import { signIn } from "../graph/session";
import { filled, useWords } from "../words";
import { whoIs } from "./asking";
import { beginAtProvider, ELSEWHERE, finishAtProvider, type Provider, providerOf } from "./provider";
import { Switches } from "./switches";

export function SignIn({ choices }: { choices: Choices }) {
  const words = useWords();
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const { provider, anonymous, returning } = useWaysIn(setFailed);

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
  const told = failed === ELSEWHERE ? words["sign.elsewhere"] : filled(words["sign.failed"], { reason: failed ?? "" });
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
      {(wrong ?? failed) !== null && (
        <Alert type="error" showIcon title={wrong ?? told} role="alert" style={{ marginBottom: 16 }} />
      )}
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
}

interface WaysIn {
  provider: Provider | null;
  anonymous: boolean;
  /** While somebody comes back from the provider. */
  returning: boolean;
}

/** Find out which ways in there are, and finish one that comes back from the provider; `fail` is told why that did not work. */
function useWaysIn(fail: (reason: string) => void): WaysIn {
  const [ways, setWays] = useState<WaysIn>(() => ({ provider: null, anonymous: false, returning: new URLSearchParams(location.search).has("state") }));
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return; // once: what comes back from the provider is used up
    begun.current = true;
    void (async () => {
      const provider = await providerOf();
      if (ways.returning) {
        const answer = await finishAtProvider(provider);
        if ("token" in answer) {
          signIn(answer.token);
          return;
        }
        fail(answer.failed);
      }
      const nobody = await whoIs("");
      setWays({ provider, anonymous: typeof nobody === "object" && nobody.scopes.length > 0, returning: false });
    })();
  }, [fail, ways.returning]);
  return ways;
}
