// The search, loaded when it is first opened: an index of every section, made when the site was.
import MiniSearch from "minisearch";
import { options } from "./search-options.js";

const response = await fetch("/docs/assets/search.json");
const index = MiniSearch.loadJSON(await response.text(), options);

export const search = (words) => index.search(words).slice(0, 12);
