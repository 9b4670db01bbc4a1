include $(BR2_EXTERNAL_POISE_PATH)/poise/poise.mk
