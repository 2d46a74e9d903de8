import { beforeAll, describe, expect, it } from "vitest";
import { loadMath } from "./math.svelte";
import { renderBlock } from "./render";

beforeAll(() => loadMath());

const WORDS = { copyCode: "Copiar", code: "Código" };

function html(source: string): HTMLElement {
  const host = document.createElement("div");
  host.append(renderBlock(source, WORDS));
  return host;
}

describe("what a model may not put on the page", () => {
  const ATTACKS = [
    "<script>alert(1)</script>",
    "hola <script src=https://mala.example/x.js></script> adiós",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)><circle/></svg>",
    "<style>body{display:none}</style>",
    '<p style="position:fixed;inset:0">tapa</p>',
    '<meta http-equiv="refresh" content="0;url=https://mala.example">',
    '<iframe src="https://mala.example"></iframe>',
    '<object data="data:text/html,x"></object><embed src=x>',
    '<form action="https://mala.example"><input name=a></form>',
    "<base href=https://mala.example>",
    "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "[clic](javascript:alert(1))",
    "[clic](data:text/html;base64,PHNjcmlwdD4=)",
    "[clic](https://mala.example 'titulo')",
    "![foto](https://mala.example/pixel.png)",
    "![foto](data:image/svg+xml;base64,AAAA)",
    "<https://mala.example>",
    "https://mala.example",
    "[ref]\n\n[ref]: https://mala.example",
    "```html\n<img src=x onerror=alert(1)>\n```",
    '```"><img src=x onerror=alert(1)>\nx\n```',
    "`<img src=x onerror=alert(1)>`",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <svg onload=alert(1)> |",
    "$\\href{javascript:alert(1)}{x}$",
    "$\\url{https://mala.example}$",
    "$\\includegraphics{https://mala.example/x.png}$",
    "$\\htmlStyle{position:fixed}{x}$",
    "$\\htmlData{math=1}{x}$",
    '$"><img src=x onerror=alert(1)>$',
    '<span data-math="\\href{javascript:alert(1)}{x}">x</span>',
    '<div class="squared" id="content" data-testid="send">x</div>',
    '<button data-copy="code">x</button>',
    "<a href=https://mala.example>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
  ];

  it.each(ATTACKS)("%s", (attack) => {
    const page = html(attack);
    const forbidden = "script, img, iframe, object, embed, form, input, meta, base, link, style, a[href], [src], [href], [id], [action], video, audio, template";
    expect(page.querySelectorAll(forbidden)).toHaveLength(0);
    // Drawings come from KaTeX alone.
    for (const drawing of page.querySelectorAll("svg, [style]")) expect(drawing.closest(".katex")).not.toBeNull();
    for (const element of page.querySelectorAll("*")) {
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on/i);
    }
    // The only buttons are our own copy buttons.
    for (const button of page.querySelectorAll("button")) expect(button.closest(".codebar")).not.toBeNull();
  });

  it("shows a tag as the text it is", () => {
    expect(html("usa <b>negrita</b> y <script>x</script>").textContent?.trim()).toBe("usa <b>negrita</b> y <script>x</script>");
  });

  it("shows where a link would lead, and leads nowhere", () => {
    expect(html("mira [la página](https://ej.example/x)").textContent?.trim()).toBe("mira la página (https://ej.example/x)");
    expect(html("mira [esto](javascript:alert(1))").textContent?.trim()).toBe("mira esto");
    expect(html("mira https://ej.example").textContent?.trim()).toBe("mira https://ej.example");
  });

  it("survives a formula that defines itself", () => {
    expect(() => html("$\\def\\a{\\a\\a}\\a$")).not.toThrow();
  });
});

describe("mathematics", () => {
  const count = (source: string) => html(source).querySelectorAll(".katex").length;

  it.each([
    ["$\\frac{1}{4}$", 1],
    ["$x$ y $y$", 2],
    ["\\(x + 1\\)", 1],
    ["\\[x^2\\]", 1],
    ["$$\nx\n$$", 1],
    ["texto $$x$$ texto", 1],
    ["**$x$** y `$y$`", 1],
    ["| a |\n|---|\n| $x$ |", 1],
    ["- $x$\n- $y$", 2],
    ["Cuesta $5 y $6.", 0],
    ["De $5 a $6", 0],
    ["$20,000-$30,000", 0],
    ["$ x $", 0],
    ["\\$5$", 0],
    ["un solo $ aquí", 0],
  ])("%j has %i formulas", (source, formulas) => expect(count(source)).toBe(formulas));

  it("draws a fraction in a line of text as large as one of its own, and other formulas as TeX would", () => {
    const sizes = (text: string) => html(text).querySelector(".katex-html")?.querySelectorAll(".mtight").length;
    expect(sizes("Es $\\frac{1}{4}$ del todo.")).toBe(0);
    expect(sizes("Es $x^2$.")).toBeGreaterThan(0);
  });

  it("draws a fraction with MathML for screen readers", () => {
    const page = html("$\\frac{1}{4}$");
    expect(page.querySelector("math mfrac")).not.toBeNull();
    expect(page.querySelector(".katex-html")?.getAttribute("aria-hidden")).toBe("true");
  });

  it("puts a step on squared paper", () => {
    expect(html("$$3(7-2) = 15$$").querySelector(".squared .katex-display")).not.toBeNull();
  });

  it("keeps underscores and asterisks in formulas", () => {
    expect(html("$a_1 * b_2 * c_3$").querySelector("annotation")?.textContent).toBe("a_1 * b_2 * c_3");
  });

  it("shows the source of a formula that it cannot read", () => {
    const page = html("vale $\\frac{1$ o así");
    expect(page.textContent).toContain("\\frac{1");
    expect(page.querySelector(".katex-error")).toBeNull();
  });
});

describe("text", () => {
  it("products are not stress", () => {
    expect(html("3*4*5 y 2**3**2").querySelectorAll("em, strong")).toHaveLength(0);
    expect(html("es *muy* **claro**").querySelectorAll("em, strong")).toHaveLength(2);
  });

  it("a number with its full stop is an answer, not an empty list", () => {
    expect(html("4.").textContent?.trim()).toBe("4.");
    expect(html("1. uno\n2. dos").querySelectorAll("ol > li")).toHaveLength(2);
  });

  it("headings stand below the page's own", () => {
    const page = html("# Uno");
    expect(page.querySelector("h1")).toBeNull();
    expect(page.querySelector("h2")?.textContent).toBe("Uno");
  });

  it("frames code with its language and a copy button", () => {
    const page = html("```python\nprint(1)\n```");
    expect(page.querySelector(".codebar span")?.textContent).toBe("python");
    expect(page.querySelector(".codebar button")?.textContent).toBe("Copiar");
    expect(page.querySelector("pre code")?.textContent).toBe("print(1)");
  });

  it("keeps the alignment of table columns", () => {
    expect(html("| a |\n|--:|\n| 1 |").querySelector("td")?.getAttribute("align")).toBe("right");
  });

  it("a line break of the model is a line break", () => {
    expect(html("27 + 35\n= 62").querySelector("br")).not.toBeNull();
  });

  it("dashes under a paragraph are a rule, not a heading", () => {
    const page = html("texto\n---");
    expect(page.querySelector("h2")).toBeNull();
    expect(page.querySelector("hr")).not.toBeNull();
  });
});
