/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  compilerOptions: {
    runes: true,
    // Elements are made one by one: no innerHTML, which Trusted Types would refuse.
    fragments: 'tree',
  },
};
