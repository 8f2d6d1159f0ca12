import '../support/through-express';
import './dtask.spec';
