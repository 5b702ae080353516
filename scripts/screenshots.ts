/** `npm run screenshots`: pictures of the console for the README, from a shop of its own. */
import './shop/screenshots/take.ts';
