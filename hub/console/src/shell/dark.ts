import { createContext } from "react";

/** Whether dark colours are shown. */
export const DarkContext = createContext(false);
