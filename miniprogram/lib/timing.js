// How long the mini-program waits, in milliseconds. One object, so that tests can shorten it.
module.exports = {
  // How long one call may take.
  request: 10000,
  // Between tries of one call that got no answer.
  retry: [500, 1500],
  // The longest wait that a box may ask for (Retry-After) before the same call is sent again by itself.
  retryAfter: 5000,
  // Between questions whether a payment has arrived; after the last one the shopper asks by a tap. 61 s in all.
  ask: [500, 1000, 1000, 1500, 2000, 2000, 3000, 5000, 5000, 10000, 10000, 10000, 10000],
  // Between looks at what somebody else changes (a kiosk's basket, an exit code), and how often at most.
  look: 3000,
  looks: 200,
};
