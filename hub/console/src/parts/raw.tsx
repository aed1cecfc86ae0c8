/** A text as it came or went: JSON with its lines, also behind the head of a message; anything else as it is. */

export function Raw({ text, name }: { text: string; name: string }) {
  return (
    <pre className="raw mono" tabIndex={0} role="region" aria-label={name}>
      {pretty(text)}
    </pre>
  );
}

const HEAD = /^[A-Z0-9][^{[]*?\n\n(?=[{[])/;

function pretty(text: string): string {
  const head = HEAD.exec(text)?.[0] ?? "";
  try {
    return head + JSON.stringify(JSON.parse(text.slice(head.length)), null, 2);
  } catch {
    return text;
  }
}
