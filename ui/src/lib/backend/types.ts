/** The types that cross the border, under one name for the whole page. */
export type * from "./bindings";
