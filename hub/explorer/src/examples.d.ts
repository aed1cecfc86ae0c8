declare module "virtual:examples" {
  const examples: import("../examples").Example[];
  export default examples;
}
