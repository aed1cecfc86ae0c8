/** The console: language, colours, who is signed in, and the pages below. */
import { App, ConfigProvider, theme as themes } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import { useEffect, useMemo, useSyncExternalStore } from "react";
import { Provider } from "urql";
import { openSession } from "./graph/client";
import { currentKey, onSession } from "./graph/session";
import { Breakage } from "./shell/breakage";
import { DarkContext } from "./shell/dark";
import { Frame } from "./shell/frame";
import { type Language, type Theme, useLanguage, useTheme } from "./shell/preferences";
import { SignIn } from "./shell/sign_in";
import { LanguageContext, WORDS } from "./words";

export interface Choices {
  language: Language;
  setLanguage: (next: Language) => void;
  theme: Theme;
  setTheme: (next: Theme) => void;
}

const SEED = { borderRadius: 5, fontFamily: 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif' };
/** Every grey that is text has a contrast of 4.5:1 or more on its ground (WCAG 2.2 AA). */
const LIGHT = { ...SEED, colorPrimary: "#1554b8", colorLink: "#1554b8", colorTextSecondary: "#4d555f", colorTextTertiary: "#5a626d", colorTextDescription: "#5a626d", colorTextPlaceholder: "#666e79", colorError: "#b3202f" };
const DARK = { ...SEED, colorPrimary: "#2f6fdd", colorLink: "#8ab8ff", colorLinkHover: "#b5d3ff", colorTextSecondary: "#c3c8cf", colorTextTertiary: "#a3abb6", colorTextDescription: "#a3abb6", colorTextPlaceholder: "#929ba6", colorError: "#ff7d87", colorBgContainer: "#16191d", colorBgLayout: "#0e1013" };

/** What is chosen is written in the primary colour, which is too dark to read on a dark ground; white on the light red of a button is not read either. */
const READ_IN_DARK = { Button: { dangerColor: "#2a0a0e" }, Menu: { itemSelectedColor: "#8ab8ff" }, Tabs: { itemSelectedColor: "#8ab8ff", itemActiveColor: "#8ab8ff", itemHoverColor: "#b5d3ff" } };

export function Console() {
  const [language, setLanguage] = useLanguage();
  const { theme, dark, choose } = useTheme();
  const choices: Choices = { language, setLanguage, theme, setTheme: choose };
  useEffect(() => {
    document.title = `${WORDS[language].title} · ${WORDS[language]["sign.lead"]}`;
  }, [language]);
  return (
    <LanguageContext value={language}>
      <DarkContext value={dark}>
        <ConfigProvider
          locale={language === "zh" ? zhCN : enUS}
          theme={{ algorithm: dark ? [themes.darkAlgorithm] : [themes.defaultAlgorithm], token: dark ? DARK : LIGHT, components: dark ? READ_IN_DARK : {} }}
          button={{ autoInsertSpace: false }}
        >
          <App className={`frame ${dark ? "dark" : "light"}`}>
            <Breakage>
              <Session choices={choices} />
            </Breakage>
          </App>
        </ConfigProvider>
      </DarkContext>
    </LanguageContext>
  );
}

function Session({ choices }: { choices: Choices }) {
  const key = useSyncExternalStore(onSession, currentKey);
  if (key === null) return <SignIn choices={choices} />;
  return <SignedIn key={key} shown={key} choices={choices} />;
}

function SignedIn({ shown, choices }: { shown: string; choices: Choices }) {
  const client = useMemo(() => openSession(shown), [shown]);
  return (
    <Provider value={client}>
      <Frame choices={choices} />
    </Provider>
  );
}
