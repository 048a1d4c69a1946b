// Lines of goods as a page shows them.
const { yuan } = require('../money');
const { fill } = require('../texts/index');

/** Return what the component `goods` shows of the box's lines. */
function goodsView(lines, t) {
  return lines.map((line, index) => ({
    key: line.line_id || String(index),
    lineId: line.line_id || '',
    name: line.name,
    quantity: line.quantity,
    each: line.by_piece === false ? '' : fill(t.pieces, { quantity: line.quantity }),
    price: yuan(line.unit_price_fen),
    amount: yuan(line.amount_fen),
    was: line.was_fen ? fill(t.was, { amount: yuan(line.was_fen) }) : '',
    byPiece: line.by_piece !== false,
  }));
}

module.exports = { goodsView };
