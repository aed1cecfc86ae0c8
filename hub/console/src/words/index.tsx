/** Every word that the console says, in both languages. What the hub says comes from the hub, in both languages too. */
import { createContext, useContext } from "react";
import type { Language } from "../shell/preferences";
import { en } from "./en";
import { zh } from "./zh";

export type Words = Record<keyof typeof en, string>;

export const WORDS: Record<Language, Words> = { en, zh };

export const LanguageContext = createContext<Language>("en");

export function useWords(): Words {
  return WORDS[useContext(LanguageContext)];
}

/** The word of a name from the hub under a prefix, as `state.DUE`; the name itself where there is none. */
export function useNamed(): (prefix: string, name: string) => string {
  const words = useWords();
  return (prefix, name) => (words as Partial<Words>)[`${prefix}.${name}` as keyof Words] ?? name;
}

/** Put values in the place of `{name}`. */
export function filled(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
