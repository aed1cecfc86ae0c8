/** Language and colours. */
import { BulbOutlined, TranslationOutlined } from "@ant-design/icons";
import { Button, Dropdown } from "antd";
import type { Choices } from "../console";
import { useWords } from "../words";
import type { Theme } from "./preferences";

export function Switches({ choices }: { choices: Choices }) {
  const words = useWords();
  const themes: Theme[] = ["system", "light", "dark"];
  return (
    <>
      <Button
        type="text"
        icon={<TranslationOutlined />}
        title={words["language.switch"]}
        lang={choices.language === "zh" ? "en" : "zh-CN"}
        onClick={() => choices.setLanguage(choices.language === "zh" ? "en" : "zh")}
      >
        {words["language.other"]}
      </Button>
      <Dropdown
        trigger={["click"]}
        menu={{
          selectable: true,
          selectedKeys: [choices.theme],
          items: themes.map((key) => ({ key, label: words[`theme.${key}`] })),
          onClick: ({ key }) => choices.setTheme(key as Theme),
        }}
      >
        <Button type="text" icon={<BulbOutlined />} aria-label={words["theme.switch"]} />
      </Dropdown>
    </>
  );
}
