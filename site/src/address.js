// The state of a page's explorers in its address, so that a position can be linked.

const state = new URLSearchParams(location.hash.slice(1));
let waiting = 0;

export const address = {
  get: (key) => state.get(key),
  set(key, value) {
    state.set(key, value);
    clearTimeout(waiting); // browsers limit how often the address may change
    waiting = setTimeout(() => history.replaceState(history.state, "", `#${state}`), 150);
  },
};

// A link to another position of the same page is followed by loading it anew.
window.addEventListener("hashchange", () => {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if ([...wanted.keys()].some((key) => state.has(key) && state.get(key) !== wanted.get(key))) location.reload();
});
