// Everything goes into the bundle but the drivers, which no import names.
export default {
  ssr: { noExternal: true },
  build: { ssr: 'main.mjs', outDir: 'out/vite', emptyOutDir: false },
};
