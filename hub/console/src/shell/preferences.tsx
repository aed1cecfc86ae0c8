/** Language and colours: by the browser and the system until somebody chooses; the choice stays with this browser. */
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";

export type Language = "zh" | "en";
export type Theme = "light" | "dark" | "system";

const LANGUAGE = "bihuan.language";
const THEME = "bihuan.theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");

export function useLanguage(): [Language, (next: Language) => void] {
  const [language, setLanguage] = useState<Language>(() => {
    const kept = localStorage.getItem(LANGUAGE) ?? navigator.language;
    return kept.toLowerCase().startsWith("zh") ? "zh" : "en";
  });
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }, [language]);
  return [
    language,
    useCallback((next) => {
      localStorage.setItem(LANGUAGE, next);
      setLanguage(next);
    }, []),
  ];
}

export function useTheme(): { theme: Theme; dark: boolean; choose: (next: Theme) => void } {
  const [theme, setTheme] = useState<Theme>(() => {
    const kept = localStorage.getItem(THEME);
    return kept === "light" || kept === "dark" ? kept : "system";
  });
  const system = useSyncExternalStore(
    (listener) => {
      DARK.addEventListener("change", listener);
      return () => {
        DARK.removeEventListener("change", listener);
      };
    },
    () => DARK.matches,
  );
  const dark = theme === "system" ? system : theme === "dark";
  useEffect(() => {
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  }, [dark]);
  const choose = useCallback((next: Theme) => {
    localStorage.setItem(THEME, next);
    setTheme(next);
  }, []);
  return { theme, dark, choose };
}
