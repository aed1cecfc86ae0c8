import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompressed } from "./precompressed";

/** `HUB` is the hub that `npm run dev` asks: its graph is shown under this server's own address. */
const hub = process.env["HUB"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "./",
  plugins: [react(), precompressed()],
  build: { outDir: "dist", emptyOutDir: true, chunkSizeWarningLimit: 1200, assetsInlineLimit: 0 },
  server: { host: "127.0.0.1", port: 5173, proxy: { "/graphql": { target: hub, ws: true }, "/console/sign-in": hub } },
});
