// A dialog that everything else waits behind: the focus stays in it, and goes back to where it was.

/** What takes the focus, in the order of the page. Of radio buttons, those that are not chosen are reached by arrows. */
const STOPS = ":is(input:not([type='radio']:not(:checked)), select, textarea, button, [tabindex='0']):not(:disabled, [tabindex='-1'])";

/** Keeps the focus in `dialog`; `first` says what has it at the beginning. Escape is `refuse`. */
export function modal(dialog: HTMLElement, { first, refuse }: { first: string; refuse: () => void }): { destroy: () => void } {
  const before = document.activeElement as HTMLElement | null;
  function keys(event: KeyboardEvent) {
    event.stopPropagation();
    if (event.key === 'Escape') refuse();
    else if (event.key === 'Tab') {
      const all = [...dialog.querySelectorAll<HTMLElement>(STOPS)];
      const at = all.indexOf(document.activeElement as HTMLElement);
      all[(at + (event.shiftKey ? all.length - 1 : 1)) % all.length]?.focus();
    } else return;
    event.preventDefault();
  }
  dialog.addEventListener('keydown', keys);
  (dialog.querySelector<HTMLElement>(first) ?? dialog).focus();
  return {
    destroy() {
      dialog.removeEventListener('keydown', keys);
      before?.focus();
    },
  };
}
