Page({ data: {}, onLoad(query) {} });
