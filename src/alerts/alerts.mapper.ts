import type { Plain } from '../http/dto-fields';
import type { StoredAlert, StoredDelivery } from '../persistence/alerts.repository';
import type { AlertDeliveryDto, AlertDto } from './dto/alert.dto';
import { shownReceiver } from './webhook';

/** An alert as the native API shows it. */
export function alertAnswer(alert: StoredAlert): Plain<AlertDto> {
  const { id, kind, subject, message, raisedAt, overAt, leftOut, details, deliveries } = alert;
  return {
    id,
    kind,
    subject,
    message,
    raised_at: raisedAt,
    over_at: overAt,
    left_out: leftOut,
    details,
    deliveries: deliveries.map(deliveryAnswer),
  };
}

function deliveryAnswer(delivery: StoredDelivery): Plain<AlertDeliveryDto> {
  const { url, state, tries, nextTryAt, endedAt, error } = delivery;
  const receiver = shownReceiver(url);
  return { receiver, state, tries, next_try_at: nextTryAt, ended_at: endedAt, error };
}
