import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const SMALL = 1_000;

/** Lays a .br and a .gz beside each file of the output, which the hub sends to browsers that take them. */
export function precompressed(): Plugin {
  let folder = "";
  return {
    name: "precompressed",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: () => {
      for (const each of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!each.isFile() || !/\.(js|css|html|svg)$/.test(each.name)) continue;
        const path = join(each.parentPath, each.name);
        const content = readFileSync(path);
        if (content.length < SMALL) continue;
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
      }
    },
  };
}
