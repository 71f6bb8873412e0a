// The keys of a toolbar: one Tab stop for all its buttons, arrows between them.

function controls(bar: HTMLElement): HTMLElement[] {
  const all = [...bar.querySelectorAll<HTMLElement>('button')];
  return all.filter((button) => !button.closest('.pop') && button.offsetParent !== null);
}

/** Svelte action for an element with the role of a toolbar. */
export function roving(bar: HTMLElement) {
  let current: HTMLElement | null = null;

  function settle(): void {
    const all = controls(bar);
    if (!current || !all.includes(current)) current = all[0] ?? null;
    for (const button of all) {
      // By the attribute, which a button does not have at first: it is found by it.
      const index = button === current ? '0' : '-1';
      if (button.getAttribute('tabindex') !== index) button.setAttribute('tabindex', index);
    }
  }
  function focused(event: FocusEvent): void {
    const button = (event.target as HTMLElement).closest<HTMLElement>('button');
    if (button && controls(bar).includes(button)) {
      current = button;
      settle();
    }
  }
  function keys(event: KeyboardEvent): void {
    const all = controls(bar);
    const at = all.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    const next = { ArrowRight: (at + 1) % all.length, ArrowLeft: (at + all.length - 1) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    all[next]?.focus();
    event.preventDefault();
  }
  // Buttons come and go: with a popover, a recording, a narrower window.
  const watch = new MutationObserver(settle);
  watch.observe(bar, { childList: true, subtree: true });
  bar.addEventListener('focusin', focused);
  bar.addEventListener('keydown', keys);
  window.addEventListener('resize', settle);
  settle();
  return {
    destroy() {
      watch.disconnect();
      bar.removeEventListener('focusin', focused);
      bar.removeEventListener('keydown', keys);
      window.removeEventListener('resize', settle);
    },
  };
}
