/** How much room is left below an element, so that a table fills the window and scrolls inside. */
import { useLayoutEffect, useRef, useState } from "react";

const HEADER_AND_FOOT = 110;
const LEAST = 240;

export function useRoom(): [React.RefObject<HTMLDivElement | null>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(400);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      setHeight(Math.max(LEAST, window.innerHeight - top - HEADER_AND_FOOT));
    };
    measure();
    addEventListener("resize", measure);
    return () => {
      removeEventListener("resize", measure);
    };
  }, []);
  return [ref, height];
}
