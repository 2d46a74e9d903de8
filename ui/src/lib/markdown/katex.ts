/** KaTeX with its styles, as one piece that is fetched later. */
import katex from "katex";
import "katex/dist/katex.min.css";

export default katex;
