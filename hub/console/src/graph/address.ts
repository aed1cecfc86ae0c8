/** Where the graph answers: beside the folder that this page was loaded from, whatever path a proxy shows the hub under. */
export const GRAPH = new URL("../graphql", document.baseURI).href;

export const GRAPH_SOCKET = GRAPH.replace(/^http/, "ws");
