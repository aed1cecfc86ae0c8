import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompressed } from "../console/precompressed";
import { examples } from "./examples";

/** `HUB` is the hub that `npm run dev` asks: its graph is shown under this server's own address. */
const hub = process.env["HUB"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  plugins: [react(), examples(), precompressed()],
  build: { outDir: "dist", emptyOutDir: true, chunkSizeWarningLimit: 6000, assetsInlineLimit: 0 },
  worker: { format: "es" },
  server: { host: "127.0.0.1", port: 5174, proxy: { "/graphql": { target: hub, ws: true } } },
});
