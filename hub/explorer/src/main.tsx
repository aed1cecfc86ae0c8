import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./explorer.css";
import { Explorer } from "./explorer";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <Explorer />
  </StrictMode>,
);
