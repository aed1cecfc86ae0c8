import { Component, type ReactNode } from "react";
import { LanguageContext, WORDS } from "../words";

/** Shows what broke in place of a white page. */
export class Breakage extends Component<{ children: ReactNode }, { error: Error | null }> {
  static override contextType = LanguageContext;
  declare context: React.ContextType<typeof LanguageContext>;
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children;
    return (
      <main className="page" role="alert">
        <p>{WORDS[this.context]["error.page"]}</p>
        <pre className="raw mono">{this.state.error.stack ?? this.state.error.message}</pre>
      </main>
    );
  }
}
