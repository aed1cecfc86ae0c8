import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types of every operation in src, made from the schema of the hub itself. */
const config: CodegenConfig = {
  schema: "../../schema/schema.graphql",
  documents: ["src/**/*.{ts,tsx}"],
  generates: {
    "./generated/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        skipTypename: true,
        scalars: { DateTime: "string", Date: "string", Decimal: "string", BigInt: "string", ID: "string" },
      },
    },
  },
  silent: true,
};

export default config;
