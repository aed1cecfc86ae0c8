import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Console } from "./console";
import "./console.css";

// A question that a page has asked and left is cut off; urql lets that come through as an error that nobody waits for.
addEventListener("unhandledrejection", (event) => {
  if (event.reason instanceof DOMException && event.reason.name === "AbortError") event.preventDefault();
});

const place = document.getElementById("console");
if (place)
  createRoot(place).render(
    <StrictMode>
      <Console />
    </StrictMode>,
  );
