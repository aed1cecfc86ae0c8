/** What stands around every page: where one is, who one is, whether it is live. Pages that one may not see are not offered. */
import {
  ApartmentOutlined,
  BarChartOutlined,
  BankOutlined,
  CheckSquareOutlined,
  DashboardOutlined,
  DiffOutlined,
  InboxOutlined,
  LogoutOutlined,
  SolutionOutlined,
} from "@ant-design/icons";
import { Button, Layout, Menu, Spin, Tooltip } from "antd";
import { lazy, Suspense, useState } from "react";
import { HashRouter, Link, Navigate, Route, Routes, useLocation } from "react-router";
import { useSubscription } from "urql";
import type { Choices } from "../console";
import { graphql } from "../../generated";
import { setHubTime } from "../graph/hub_time";
import { signOut } from "../graph/session";
import { useAsked } from "../graph/use";
import mark from "../mark.svg";
import { Failure } from "../parts/failure";
import { filled, useWords, type Words } from "../words";
import { LinkSign, LinkWarning } from "./link_sign";
import { ME, Rights, RightsContext, useRights } from "./me";
import { Switches } from "./switches";

const PAGES = [
  { path: "overview", icon: <DashboardOutlined />, may: (of: Rights) => of.sees, Page: lazy(() => import("../pages/overview/overview")) },
  { path: "obligations", icon: <CheckSquareOutlined />, may: (of: Rights) => of.sees, Page: lazy(() => import("../pages/obligations/obligations")) },
  { path: "ops", icon: <SolutionOutlined />, may: (of: Rights) => of.seesAll, Page: lazy(() => import("../pages/ops/ops")) },
  { path: "loop", icon: <ApartmentOutlined />, may: (of: Rights) => of.reads, Page: lazy(() => import("../pages/loop/loop")) },
  { path: "subject", icon: <BankOutlined />, may: (of: Rights) => of.reads, Page: lazy(() => import("../pages/subject/subject")) },
  { path: "deliveries", icon: <InboxOutlined />, may: (of: Rights) => of.sees, Page: lazy(() => import("../pages/deliveries/deliveries")) },
  { path: "drift", icon: <DiffOutlined />, may: (of: Rights) => of.sees, Page: lazy(() => import("../pages/drift/drift")) },
  { path: "statistics", icon: <BarChartOutlined />, may: (of: Rights) => of.reads, Page: lazy(() => import("../pages/statistics/statistics")) },
] as const;
const OneObligation = lazy(() => import("../pages/obligations/obligation"));

const BEAT = graphql(`
  subscription Beat {
    syncHealth {
      at
    }
  }
`);

export function Frame({ choices }: { choices: Choices }) {
  const { data, error, waiting, again } = useAsked(ME, {});
  if (waiting) return <Spin size="large" fullscreen />;
  if (!data) return <main className="page"><Failure error={error} again={again} /></main>;
  return (
    <RightsContext value={new Rights(data.me)}>
      <HashRouter>
        <Around choices={choices} />
      </HashRouter>
    </RightsContext>
  );
}

function Around({ choices }: { choices: Choices }) {
  const words = useWords();
  const rights = useRights();
  const [narrow, setNarrow] = useState(false);
  const offered = PAGES.filter((page) => page.may(rights));
  const here = useLocation().pathname.split("/")[1] ?? "";
  useSubscription({ query: BEAT, pause: !rights.sees }, (_, told) => {
    setHubTime(told.syncHealth.at);
    return told;
  });
  return (
    <Layout style={{ minHeight: "100vh" }}>
      <a className="skip" href="#content" onClick={goToContent}>
        {words.skip}
      </a>
      <Layout.Sider theme="light" width={188} collapsedWidth={58} breakpoint="lg" collapsed={narrow} onBreakpoint={setNarrow} trigger={null}>
        <div className="brand">
          <img src={mark} alt="" />
          {!narrow && words.title}
        </div>
        <nav aria-label={words["nav.menu"]}>
          <Menu
            mode="inline"
            selectedKeys={[here]}
            items={offered.map((page) => ({ key: page.path, icon: page.icon, label: <Link to={`/${page.path}`}>{words[`nav.${page.path}`]}</Link> }))}
          />
        </nav>
      </Layout.Sider>
      <Layout>
        <header className="bar">
          <h1>{(words as Partial<Words>)[`nav.${here}` as keyof Words] ?? words.title}</h1>
          {rights.sees && <LinkSign />}
          <Switches choices={choices} />
          <Account name={rights.name} />
        </header>
        {rights.sees && <LinkWarning />}
        <main id="content" className="page" tabIndex={-1}>
          <Suspense fallback={<Spin />}>
            <Routes>
              {offered.map(({ path, Page }) => (
                <Route key={path} path={`/${path}`} element={<Page />} />
              ))}
              {rights.sees && <Route path="/obligations/:key" element={<OneObligation />} />}
              <Route path="*" element={<Navigate to={`/${offered[0]?.path ?? ""}`} replace />} />
            </Routes>
          </Suspense>
        </main>
      </Layout>
    </Layout>
  );
}

function Account({ name }: { name: string | null }) {
  const words = useWords();
  const who = name === null ? words["sign.nobody"] : filled(words["sign.as"], { name });
  return (
    <Tooltip title={`${who} · ${words["sign.out"]}`}>
      <Button type="text" icon={<LogoutOutlined />} aria-label={name === null ? words["sign.out"] : `${name} · ${words["sign.out"]}`} onClick={signOut}>
        {name}
      </Button>
    </Tooltip>
  );
}

/** The address has a hash already, which says the page. */
function goToContent(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}
