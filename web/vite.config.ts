import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = "http://127.0.0.1:8000";
// The server lets in what comes from its own page, and this one stands in for it.
const proxied = { target: server, changeOrigin: true, headers: { origin: server } };

export default defineConfig({
  plugins: [react()],
  // Relative addresses, so that the page can be served from any path.
  base: "./",
  build: {
    // The content security policy allows no data: address for a font.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    rollupOptions: {
      onwarn(warning, report) {
        // Libraries mark their client components for frameworks that render on a server.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") report(warning);
      },
    },
  },
  server: {
    proxy: {
      "/api": proxied,
      "/ws": { ...proxied, ws: true },
    },
  },
  test: { include: ["src/**/*.test.ts"] },
});
