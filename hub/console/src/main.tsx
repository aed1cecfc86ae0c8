import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Console } from "./console";
import "./console.css";

const place = document.getElementById("console");
if (place)
  createRoot(place).render(
    <StrictMode>
      <Console />
    </StrictMode>,
  );
