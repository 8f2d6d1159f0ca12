import { Module } from '@nestjs/common';
import { configOf } from '../config/config.module';
import type { Config } from '../config/config.schema';
import { OWN_ENDPOINTS, type OwnEndpoint } from '../ops/own-endpoints';
import { ownAddressRule } from '../outgoing/own-address-rule';
import { AlertMetrics } from './alert-metrics';
import { AlertSender, WEBHOOKS } from './alert-sender';
import { AlertsController } from './alerts.controller';
import { AlertsService } from './alerts.service';
import { Webhook } from './webhook';

/** What operators are told, and how it reaches them. */
@Module({
  controllers: [AlertsController],
  providers: [
    AlertMetrics,
    AlertSender,
    AlertsService,
    {
      provide: WEBHOOKS,
      inject: [configOf('alerts'), OWN_ENDPOINTS],
      useFactory: webhooks,
    },
  ],
})
export class AlertsModule {}

/** That there is a secret where there are receivers, the settings have seen to. */
function webhooks(
  { urls, secret = '' }: Config['alerts'],
  own: readonly OwnEndpoint[],
): readonly Webhook[] {
  const addressRule = ownAddressRule(own);
  return [...new Set(urls)].map((url) => new Webhook({ url, secret, addressRule }));
}
