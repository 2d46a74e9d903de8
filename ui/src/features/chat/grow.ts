/** For `{@attach}` on a textarea: it is as tall as its text; its style says where that ends. */
export function growWithText(text: () => string) {
  return (field: HTMLTextAreaElement): void => {
    void text();
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  };
}
