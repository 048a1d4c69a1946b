// miniprogram-simulate renders components; a page is rendered as the component that WeChat makes of it.
global.Page = (options) => {
  const { data, ...methods } = options;
  global.Component({ data, methods });
};
global.App = () => {};
