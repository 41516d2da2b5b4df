// How the index is made, and so how it has to be read.
export const options = {
  fields: ["title", "page", "text"],
  storeFields: ["url", "page", "title", "excerpt"],
  searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: (term) => (term.length > 4 ? 0.2 : 0), combineWith: "AND" },
};
