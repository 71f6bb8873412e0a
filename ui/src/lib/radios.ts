// The keys of a row of choices: one Tab stop, at the one that holds, and arrows between them. An arrow only goes there,
// Space or Enter chooses: what is passed on the way may read a whole recording anew.

/** Svelte action for an element with the role of a radiogroup whose radios are buttons. */
export function radios(group: HTMLElement) {
  const all = () => [...group.querySelectorAll<HTMLElement>('[role=radio]')];
  function settle(): void {
    const list = all();
    const stop = list.find((one) => one.ariaChecked === 'true') ?? list[0];
    for (const one of list) {
      const index = one === stop ? '0' : '-1';
      if (one.getAttribute('tabindex') !== index) one.setAttribute('tabindex', index);
    }
  }
  function keys(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const list = all();
    const at = list.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined || at < 0) return;
    list[(at + step + list.length) % list.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
  const watch = new MutationObserver(settle);
  watch.observe(group, { childList: true, subtree: true, attributeFilter: ['aria-checked'] });
  group.addEventListener('keydown', keys);
  settle();
  return {
    destroy() {
      watch.disconnect();
      group.removeEventListener('keydown', keys);
    },
  };
}
